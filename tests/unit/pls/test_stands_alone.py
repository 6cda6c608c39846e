"""The engine could be a package: it imports arrays, tables and functions, and nothing of crmlab.

One module is excepted, which a package would take along: the one that says its refusals in either
language.
"""

import ast
import sys

import crmlab.pls

LIBRARIES = {"numpy", "scipy", "pandas"}
WORDS = "crmlab.atlas.sentences"


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_engine_imports_only_libraries_and_itself(root):
    files = sorted((root / "src" / "crmlab" / "pls").glob("*.py"))
    assert len(files) > 10
    for file in files:
        for module in imported(file):
            top = module.split(".")[0]
            own = module in ("crmlab.pls", WORDS) or module.startswith("crmlab.pls.")
            assert own or top in LIBRARIES | set(sys.stdlib_module_names), (file.name, module)


def test_what_the_package_names_is_there():
    for name in crmlab.pls.__all__:
        assert hasattr(crmlab.pls, name)
    assert sorted(crmlab.pls.__all__, key=lambda n: (not n.isupper(), n[0].islower(), n)) == list(
        crmlab.pls.__all__
    )
