package schema

import "strings"

// Nearest finds which of found comes closest to one of wanted, whatever the case; ok is false unless they
// differ by less than a third.
func Nearest(wanted, found []string) (near string, ok bool) {
	best := 1.0 / 3
	for _, w := range wanted {
		for _, f := range found {
			a, b := []rune(strings.ToLower(strings.TrimSpace(w))), []rune(strings.ToLower(strings.TrimSpace(f)))
			if len(b) == 0 || len(b) > 2*len(a)+1 {
				continue
			}
			if d := float64(editDistance(a, b)) / float64(max(len(a), len(b))); d < best {
				best, near, ok = d, f, true
			}
		}
	}
	return near, ok
}

// Distance counts the insertions, deletions, substitutions and swaps of neighbours between a and b, whatever
// their case.
func Distance(a, b string) int {
	return editDistance([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)))
}

// editDistance counts the insertions, deletions, substitutions and swaps of neighbours between a and b.
func editDistance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
