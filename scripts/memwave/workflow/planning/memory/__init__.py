"""Upper bounds of the memory of each stage, in MB, from the configuration alone.

Pure functions: they add up the sizes of the arrays that the modules of a stage report. The bounds
do not depend on the number of cores. Only those of solvers that read columns depend on the number
of windows.
"""
