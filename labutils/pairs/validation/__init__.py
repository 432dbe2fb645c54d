"""What is wrong with a file of pairs, line by line, and a copy in which the unambiguous faults are repaired."""

from labutils.pairs.validation.checking import Report, repair, validate
from labutils.pairs.validation.problems import KINDS, Problem

__all__ = ["KINDS", "Problem", "Report", "repair", "validate"]
