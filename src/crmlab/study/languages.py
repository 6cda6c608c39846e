"""One language: the texts of notebooks that stand in two, and studies that ask for one.

Who asks: whoever makes a project folder for readers of one language. Cells of text are told
apart by their tags, `en` and `zh`; a notebook with none in the language asked for stays whole.
"""

import json
import os
import re
from pathlib import Path

import yaml

from crmlab.atlas import LANGUAGES
from crmlab.atlas.homes import find_headings
from crmlab.atlas.sentences import hint_near, say

__all__ = [
    "LANGUAGE_NAMES",
    "check_language",
    "keep_language",
    "say_missing_language",
    "set_language",
    "text_languages",
]

LANGUAGE_NAMES = {"en": {"en": "English", "zh": "英文"}, "zh": {"en": "Chinese", "zh": "中文"}}


def check_language(language):
    """Refuse a language that no text can stand in."""
    if language not in LANGUAGES:
        told = {"language": repr(language), "hint": hint_near(language, LANGUAGES)}
        raise ValueError(say("language_unknown", **told, languages=LANGUAGES))


def text_languages(root):
    """Return the languages in which the texts of a project's notebooks stand, sorted.

    Parameters
    ----------
    root : path-like
        Folder of the project.

    Returns
    -------
    list of str
        Both in the repository, one in a folder of `crmlab new`, none where no text cell bears
        a language.
    """
    paths = sorted((Path(root) / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    tags = {tag for path in paths for cell in _read_notebook(path)["cells"] for tag in _tags(cell)}
    return [language for language in LANGUAGES if language in tags]


def say_missing_language(root, language):
    """Return a sentence for a reader who asks for a language no text stands in; else None."""
    languages = text_languages(root)
    if not languages or language in languages:
        return None
    told = {"there": LANGUAGE_NAMES[languages[0]], "wanted": LANGUAGE_NAMES[language]}
    project = Path(root).resolve().name
    return say("language_lacks", project=project, language=language, **told)


def keep_language(path, language):
    """Return a notebook's JSON without the texts of other languages.

    Parameters
    ----------
    path : path-like
        A notebook file.
    language : {"en", "zh"}

    Returns
    -------
    bytes
        Cells of code stay as they are. Chinese headings keep the English names by which the
        atlas calls their sections, in the metadata of their cells. A notebook with no text in
        the language is returned whole.
    """
    document = _read_notebook(path)
    if any(language in _tags(cell) for cell in document["cells"]):
        document["cells"] = _keep_cells(document["cells"], language)
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def set_language(path, language, folder):
    """Return a study file that asks for a language and finds its data from another folder.

    Parameters
    ----------
    path : pathlib.Path
        A study file.
    language : {"en", "zh"}
    folder : path-like
        Where the file is going to lie. A relative `data` is seen from there.

    Returns
    -------
    bytes
        Comments and order are kept. A file that is no study is returned as it is: it could not
        run where it lies either, and `crmlab run` says why.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        study = yaml.safe_load(text)
    except (UnicodeDecodeError, yaml.YAMLError):
        return path.read_bytes()
    text = re.sub(r"^language:.*\n?", "", text, flags=re.MULTILINE)
    line = re.search(r"^data:.*$", text, flags=re.MULTILINE)
    if line is None or not isinstance(study["data"], str):
        return path.read_bytes()
    data, said = path.parent / study["data"], line[0]
    if data.exists() and not Path(study["data"]).is_absolute():
        there = Path(os.path.relpath(data, folder)).as_posix()
        said = f"data: {json.dumps(there, ensure_ascii=False)}"
    return f"{text[: line.start()]}{said}\nlanguage: {language}{text[line.end() :]}".encode()


def _keep_cells(cells, language):
    kept, english = [], ()
    for cell in cells:
        tags = _tags(cell)
        if language in tags:
            # The atlas names sections in English: what a Chinese heading is called there.
            headings = find_headings("".join(cell["source"]))
            if english and len(english) == len(headings):
                names = dict(zip(headings, english, strict=True))
                cell = cell | {"metadata": cell["metadata"] | {"crmlab": {"headings": names}}}
            english = ()
        elif tags & set(LANGUAGES):
            english = find_headings("".join(cell["source"])) if "en" in tags else ()
            continue
        kept.append(cell)
    return kept


def _read_notebook(path):
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return document | {"cells": list(document["cells"])}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a Jupyter notebook: {error}") from error


def _tags(cell):
    return set(cell.get("metadata", {}).get("tags", ()))
