"""Figures of results. Their data are collected block by block, in constant memory."""
