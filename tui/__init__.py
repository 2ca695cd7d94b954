"""The faces: the Textual app and the command line. No torch and no SQL here."""
