"""What `memwave` offers for recordings: projection and reconstruction without a workflow."""
