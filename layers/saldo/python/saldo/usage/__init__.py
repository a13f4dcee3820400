"""What customers used: events, meters and the folds that turn one into totals of the other."""
