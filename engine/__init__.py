"""The engine: everything Proofsheet can do, without a terminal. Never imports Textual."""
