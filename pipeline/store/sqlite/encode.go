package sqlite

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Times are kept in whole seconds; the zero time is NULL.

func seconds(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.Unix(), Valid: !t.IsZero()}
}

func timeOf(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(n.Int64, 0).UTC()
}

// encode returns v as JSON. What the store keeps as JSON has no value that cannot be encoded.
func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// encodeNumbers returns numbers as JSON: there may be many.
func encodeNumbers(numbers []int64) string {
	list := make([]byte, 0, 10*len(numbers)+2)
	for i, n := range numbers {
		list = strconv.AppendInt(append(list, "[,"[min(i, 1)]), n, 10)
	}
	if len(numbers) == 0 {
		list = append(list, '[')
	}
	return string(append(list, ']'))
}

// encodeList returns a list as JSON, NULL where it is empty.
func encodeList(list []string) sql.NullString {
	if len(list) == 0 {
		return sql.NullString{}
	}
	return sql.NullString{String: encode(list), Valid: true}
}

// prefixed returns a list of columns with a prefix before each.
func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}

// null returns text, NULL where it is empty.
func null(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// blob returns data as something that is not NULL.
func blob(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
