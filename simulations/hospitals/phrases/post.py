"""A short post on a social network about an illness."""

OPENING = ("Day 3.", "Quick update.", "So.", "Hi all,")
FINDINGS = (
    ("feeling great today|best day in weeks", "doing okay today", "feeling low today", "worst day in a long time"),
    ("so grateful for the nurses|thankful for everyone", "the nurses were kind", "nobody explains anything",
     "furious about how they treat us"),
    ("sunshine and a walk :)", "got out for a bit", "stuck inside again", "cannot get out of bed :("),
    ("slept like a baby", "slept all right", "slept badly", "no sleep at all, again"),
    ("hope is real", "hoping for the best", "not sure what to hope for", "no hope left"),
    ("the results are good!!", "the results are fine", "waiting for the results, worried", "the results are bad"),
    ("love you all", "thanks for reading", "please write me", "I feel so alone"),
)  # fmt: skip
NEUTRAL = ("had soup for lunch", "the bus was late", "watching a film now", "it is Tuesday", "new phone, who dis",
           "#hospital", "#health")  # fmt: skip
CLOSING = ("more tomorrow", "bye", "#update")
