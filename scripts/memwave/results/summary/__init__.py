"""The summary of all experiments: its columns, and its page."""
