"""Opinions taken out of everything that a workspace keeps and has written, and all of it counted anew."""

HALFWAY = "做了一半，请再运行同一条命令"
"""The note on whatever stops a withdrawal that has begun to change things."""
