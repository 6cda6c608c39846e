"""Customer types: each typology of the field as a transparent assignment that can be wrong.

Who asks: whoever treats customers by kind, and must be able to say of each why he is taken for
what he is. Every typology has three parts that the reader may look at and change: *measures*, one
row per customer; *rules* or *evidence*, a table of cut points (``rules.csv``, ``evidence.csv``,
``key_weights.csv`` beside this module); and the assignment, which may end in *cannot tell*, because
a measure is missing or lies between the cut points. `scoring` holds labels against a truth or
against what the customers did later.

Modules: `rules` (the engine), `purchases` (what was bought), `behaviour` (what was asked for, and
what a silence says), `measures` (all of it in one table), `orientation` (relational and
transactional), `claims` (are the one more profitable than the other?), `adoption` (lighthouse
customers and followers), `parties` (by relation to the firm), `key_accounts`, `questions` (five
things to know of each customer), `scoring`. Orders, contacts and links may be of any engine.
"""
