"""What several formats share: flat files, text, Arrow columns, packed values, their libraries."""
