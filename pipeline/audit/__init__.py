"""The audit log of a workspace: who did what, when, to which opinions; never a word of one."""
