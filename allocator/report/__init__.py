"""A plan as people read it: tables on a terminal, files in a folder."""
