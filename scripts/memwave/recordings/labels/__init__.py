"""Labels of rows and windows: integer codes, intervals, the converted file, labels of windows."""
