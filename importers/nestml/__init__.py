"""NESTML: the importer for the language of NESTML 9 and its older forms."""
