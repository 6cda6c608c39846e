"""Studies: a question put to a data set, answered by executed notebooks.

A notebook needs one name, `open_study`; the command line uses the modules below it.
"""

from crmlab.study.artefacts import open_study

__all__ = ["open_study"]
