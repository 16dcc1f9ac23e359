package postgres

import (
	"encoding/json"
	"strings"
	"time"
)

// Times are kept in whole seconds; the zero time is NULL.

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.Unix())
}

func timeOf(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.Unix(*n, 0).UTC()
}

// encode returns v as JSON. What the store keeps as JSON has no value that cannot be encoded.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// array returns a list, NULL where it is empty.
func array(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// null returns text, NULL where it is empty.
func null[T ~string](text T) *string {
	if text == "" {
		return nil
	}
	return new(string(text))
}

// nonzero returns a number, NULL where it is 0.
func nonzero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// known returns a number of conversations, NULL where nobody knows it.
func known(conversations int) *int64 {
	if conversations < 0 {
		return nil
	}
	return new(int64(conversations))
}

// prefixed returns a list of columns with a prefix before each.
func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}

// blob returns data as something that is not NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
