"""Memory that runs out on a GPU: batches made smaller, passed over, or run again."""
