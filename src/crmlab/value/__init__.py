"""What customers are worth: recency, frequency and money, contribution, concentration, trend."""
