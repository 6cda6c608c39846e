"""Who calls and refers whom: the graph, its communities, and whether leaving goes along it."""
