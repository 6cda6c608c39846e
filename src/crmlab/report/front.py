"""The front page: what a report says first, gathered from the manifest and the chapters.

Who asks: `crmlab.report.pages` for the screen and `crmlab.report.paper` for print.
"""

import json
import re
import shlex

from crmlab.study.wording import (
    load_words,
    name_table,
    say_day,
    say_duration,
    say_moment,
    say_number,
    text_in,
)

__all__ = ["describe_run"]

# The stages that speak first: value, segments, satisfaction, loyalty, performance; then the rest.
STAGES = "234587169"
MOST_FINDINGS = 5
LINK = re.compile(r"\]\([^)]*\)")


def describe_run(manifest, chapters, language):
    """Return what the front page says, beyond what every page knows.

    Parameters
    ----------
    manifest : dict
    chapters : list of crmlab.report.chapter.Chapter
    language : {"en", "zh"}

    Returns
    -------
    dict
        Among others `findings`, the chapters that found something; `leading`, at most five of
        them from different stages, for the front page; `chapters` by `stages`; `omitted`, each
        reason for leaving chapters out with those chapters; `references`.
    """
    words = load_words(language)
    data = _describe_data(manifest["dataset"], language)
    # Chapter 00 tells of the field and the project; the front page tells of the customers.
    told = [chapter for chapter in chapters if chapter.stage != "0"]
    numbered = [chapter for chapter in told if chapter.results]
    findings = [chapter for chapter in told if chapter.finding]
    references = _gather_references(chapters)
    stages, omitted = {}, {}
    for chapter in chapters:
        stages.setdefault(words[f"stage_{chapter.stage}"], []).append(chapter)
        if chapter.state == "left out":
            omitted.setdefault(chapter.reason, []).append(chapter)
    methods = [chapter for chapter in told if chapter.model or chapter.limits]
    sections = ["found", "data", "chapters", *["methods"] * bool(methods)]
    sections += [*["references"] * bool(references), "made"]
    link = '<a href="manifest.json">manifest.json</a>'
    states = [chapter.state for chapter in chapters]
    return {
        "data": data,
        "facts": _list_facts(data, manifest, language),
        "sections": [(key, words[key]) for key in sections],
        "n_failed": states.count("failed"),
        "n_missing": states.count("not reached"),
        "findings": findings,
        "leading": _choose_leading(findings),
        "methods": methods,
        "numbered": numbered,
        "n_results": sum(len(chapter.results) for chapter in numbered),
        "stages": list(stages.items()),
        "omitted": list(omitted.items()),
        "duration": lambda seconds: say_duration(seconds, language),
        "made": _list_making(manifest, chapters, language),
        "command": _say_command(manifest["study"]),
        "manifest_line": words["manifest"].format(link=link),
        "parameters": [chapter for chapter in chapters if chapter.parameters],
        "versions": list(manifest["versions"].items()),
        "references": references,
    }


def _choose_leading(findings):
    """Return the chapters that speak on the front page: the first of each of the main stages."""
    first = {}
    for chapter in findings:
        first.setdefault(chapter.stage, chapter)
    chosen = [first[stage] for stage in STAGES if stage in first][:MOST_FINDINGS]
    return sorted(chosen or findings[:MOST_FINDINGS], key=lambda chapter: chapter.name)


def _describe_data(dataset, language):
    words = load_words(language)
    texts = ("title", "summary", "licence", "citation", "origin", "currency")
    data = {key: text_in(dataset[key], language) for key in texts}
    first, last = dataset["observed_from"], dataset["observed_to"]
    data["has_window"] = bool(first and last)
    data["window"] = words["window_unknown"]
    if data["has_window"]:
        days = {"from_day": say_day(first, language), "to_day": say_day(last, language)}
        data["window"] = words["window_text"].format(**days)
    data["prepared"] = text_in(dataset.get("prepared"), language)
    card = ("window", "currency", "origin", "licence", "citation")
    data["card"] = [(words[key], data[key]) for key in card]
    one_row_is = dataset.get("one_row_is", {})
    data["tables"] = [
        {
            "key": name,
            "name": name_table(name, language),
            "one_row_is": text_in(one_row_is.get(name), language),
            "n_rows": say_number(table["n_rows"], "", language=language),
        }
        for name, table in dataset["tables"].items()
    ]
    data["says_rows"] = any(table["one_row_is"] for table in data["tables"])
    reason = {"en": "reason", "zh": "reason_zh"}[language]
    for key in ("left_out", "repaired"):  # reports of earlier versions know no repairs
        data[key] = [
            {
                "table": name_table(row["table"], language),
                "reason": row.get(reason) or row["reason"],
                "n_rows": say_number(row["n_rows"], "", language=language),
            }
            for row in dataset.get(key, [])
        ]
    data["files"] = list(dataset["files"].items())
    data["is_simulated"] = "truth" in dataset["tables"]
    return data


def _list_facts(data, manifest, language):
    words = load_words(language)
    facts = [data["title"]]
    for name in ("orders", "survey"):
        if name in manifest["dataset"]["tables"]:
            n_rows = manifest["dataset"]["tables"][name]["n_rows"]
            said = say_number(n_rows, "", language=language)
            facts.append(words[f"fact_{name}"].format(n=said))
    if data["has_window"]:
        facts.append(data["window"])
    return facts


def _list_making(manifest, chapters, language):
    words = load_words(language)
    study, versions = manifest["study"], manifest["versions"]
    seconds = sum(chapter.seconds or 0 for chapter in chapters)
    return [
        (words["data_set"], study["data"]),
        (words["seed"], study["seed"]),
        (words["run_on"], say_moment(manifest["started"], language)),
        (words["took"], say_duration(seconds, language)),
        ("crmlab", versions["crmlab"]),
        ("Python", versions["python"]),
    ]


def _say_command(study):
    """Return the command that makes this run again, with what was laid over the study file."""
    words = ["crmlab", "run", f"studies/{study['file']}", "--lang", study["language"]]
    for notebook, values in study.get("parameters", {}).items():
        for name, value in values.items():
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            words += ["-p", f"{notebook}.{name}={said}"]
    return shlex.join(words)


def _gather_references(chapters):
    """Return each work cited once, as HTML, with the chapters that cite it, in alphabetic order."""
    from crmlab.report.markdown import PageMarkdown

    markdown, cited = PageMarkdown(), {}
    for chapter in chapters:
        for text in chapter.references:
            doi = re.search(r"10\.\d{4,}/[^\s\]>]+", text)
            key = doi[0].rstrip(").,;。") if doi else re.sub(r"\W+", "", text)
            work = cited.setdefault(key.casefold(), {"text": text, "chapters": []})
            work["text"] = max(work["text"], text, key=lambda said: len(LINK.sub("", said)))
            if chapter not in work["chapters"]:
                work["chapters"].append(chapter)
    works = sorted(cited.values(), key=lambda work: work["text"].casefold())
    return [(markdown.render_line(work["text"]), work["chapters"]) for work in works]
