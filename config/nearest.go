package config

// nearest returns the known key that a person who wrote key most likely meant, "" when none is close.
func nearest(key string, known []string) string {
	best, distance := "", max(len(key)/3, 1)+1
	for _, k := range known {
		if d := edits(key, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits is the number of letters to insert, delete or replace to get from a to b (Levenshtein distance), where two
// neighbours changing places count once.
func edits(a, b string) int {
	older, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			same := 1
			if a[i] == b[j] {
				same = 0
			}
			next[j+1] = min(row[j]+same, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], older[j-1]+1)
			}
		}
		older, row, next = row, next, older
	}
	return row[len(b)]
}
