"""Stock Flower with a full client, as its documentation shows it: what a round of Medley is held against."""
