package folder

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// FuzzManifest reads whatever stands in a manifest: it is refused, or its parts add up and name no file but
// parts, and their lines can be read or are refused.
func FuzzManifest(f *testing.F) {
	part := `{"file":"part-01-of-01.csv","sha256":"` + strings.Repeat("0", 64) + `","rows":3,"lines":"2-3,9"}`
	for _, seed := range []string{
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[` + part + `]}`, `{}`, ``, `[]`, `{"version":1}`,
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[{"file":"../x","rows":3}]}`,
		`{"version":1,"mode":"add","columns":["Email"],"address_column":"Email","rows":3,"parts":[` + strings.Replace(part, "2-3,9", "1-99999999", 1) + `]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			require.Nil(t, m)
			return
		}
		rows := 0
		for i := range m.Parts {
			p := &m.Parts[i]
			require.Equal(t, PartName(i+1, len(m.Parts)), p.File)
			rows += p.Rows
			if lines, err := p.Lines.Numbers(p.Rows); err == nil {
				require.Len(t, lines, p.Rows)
				require.True(t, slices.IsSorted(lines))
			}
		}
		require.Equal(t, m.Rows, rows)
	})
}

// Lines are read as they were added, whatever ranges they make.
func TestLineList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l LineList
		line := 0
		var want []int
		for _, step := range rapid.SliceOfN(rapid.IntRange(1, 3), 1, 200).Draw(t, "steps") {
			line += step
			l.Add(line)
			want = append(want, line)
		}
		written, err := json.Marshal(&l)
		require.NoError(t, err)
		var read LineList
		require.NoError(t, json.Unmarshal(written, &read))
		got, err := read.Numbers(len(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = read.Numbers(len(want) + 1)
		require.Error(t, err)
		_, err = read.Numbers(len(want) - 1)
		require.Error(t, err)
	})
}
