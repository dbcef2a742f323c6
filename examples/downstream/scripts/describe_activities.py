"""Describe each activity by the windows that have its label."""

import csv

import h5py
import numpy as np

with h5py.File(snakemake.input.projection) as file:
    labels, scores = file["label"][()], file["scores"][()]

with open(snakemake.output.table, "w", encoding="utf-8", newline="") as table:
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(["label", "windows", *(f"pc{k + 1}" for k in range(scores.shape[1]))])
    for label in np.unique(labels):
        middle = np.median(scores[labels == label], axis=0)
        writer.writerow([label, np.count_nonzero(labels == label), *middle.round(4)])
