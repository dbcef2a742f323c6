"""Labels of rows: their coding as numbers, intervals, the converted file, labels of windows."""
