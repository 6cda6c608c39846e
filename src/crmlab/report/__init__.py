"""Reports: what a finished run, a comparison or a sweep has to say, on screen and on paper.

Who asks: the command line, once a study has run. Everything here reads a report folder and writes
into it; nothing runs a notebook.
"""
