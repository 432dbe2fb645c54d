"""What the learner sees: tables, coloured text, figures."""
