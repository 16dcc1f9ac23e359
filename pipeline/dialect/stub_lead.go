package dialect

import (
	"context"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/claimline/claimline/schema"
)

type Cleaned uint8

const (
	Trimmed Cleaned = 1 << iota
	Formula
)

func (c Cleaned) Has(x Cleaned) bool { return c&x != 0 }

type Fit int

const (
	FitExact Fit = iota
	FitMissing
	FitSurplus
	FitNot
)

func CleanHeader(cell string) string {
	v, _ := Clean(cell)
	v = strings.Join(strings.FieldsFunc(v, func(r rune) bool { return unicode.IsSpace(r) }), " ")
	return strings.TrimRight(v, ";,|\t\" ")
}

func SameHeader(a, b string) bool { return strings.EqualFold(CleanHeader(a), CleanHeader(b)) }
func CutOff(header []string) string {
	last := header[len(header)-1]
	return last[len(strings.TrimRight(last, ";,|\t")):]
}
func (r *Records) Fit(i, width, lack int, cut string) ([]string, Fit) {
	c := r.Cells(i)
	if len(c) == width {
		return c, FitExact
	}
	return c, FitNot
}
func Undo(cell string) (string, bool) {
	b, err := charmap.Windows1252.NewEncoder().String(cell)
	if err != nil || b == cell || !utf8.ValidString(b) {
		return cell, false
	}
	return b, true
}

type Candidate struct{ Encoding, Text string }

func Candidates(cell string) []Candidate          { return nil }
func Reread(cell, encoding string) (string, bool) { return "", false }
func (f Format) Comma() byte                      { return f.delimiter() }
func (f Format) OtherDelimiter([]string) byte     { return 0 }
func (r *Reader) IsHeader([]string) bool          { return false }
func (r *Reader) Found() bool                     { return true }
func (r *Reader) Mojibake() bool                  { return false }

type Options struct {
	Limits
	Encoding, SingleByte string
	Names                []string
}

var _ = schema.Quote

func NewReader(ctx context.Context, name string, f io.ReaderAt, size int64, o Options) (*Reader, error) {
	return newReader(ctx, name, f, size, o.Limits, o.Names...)
}
