"""Attributes that are not there: of classes, of modules, of plain values, of what is handed on."""
