// Replaced by the first file of SeriesStore.
