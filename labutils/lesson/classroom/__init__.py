"""A class: assignments for nbgrader, a judge that trusts nobody, a set-up for a room without network."""
