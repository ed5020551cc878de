package store

// Takeouts are the columns of each table that leave.
func Takeouts() map[string][]string {
	left := map[string][]string{}
	for _, t := range takeouts {
		left[t.name] = t.columns
	}
	return left
}
