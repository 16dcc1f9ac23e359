package schema

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a refusal: something that was asked for and not done, with its reason, its place and its fix.
// Bad rows are never an Error; they are a Result.
type Error struct {
	Code    Code
	Message Text   // what was wrong; nothing: the code's own message
	Fix     Text   // what to do; nothing: the code's own fix
	File    string // empty where there is none
	Line    int    // physical line, 1 for the first; 0 where there is none
	Column  int    // field, 1 for the first; 0 where there is none
	Header  string // of the column, as the file has it; empty where it is not known
	Err     error  // the cause, for the log only; never shown to users
}

// Refuse returns an Error with the given message, which may be formatted.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: Say(format, args...)}
}

// At returns the error with its place set.
func (e *Error) At(file string, line, column int) *Error {
	e.File, e.Line, e.Column = file, line, column
	return e
}

// WithFix returns the error with what to do about it set, which may be formatted.
func (e *Error) WithFix(format string, args ...any) *Error {
	e.Fix = Say(format, args...)
	return e
}

// Because returns the error with its cause set.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// In returns the error with the header of its column set.
func (e *Error) In(header string) *Error {
	e.Header = header
	return e
}

// Place returns file:line:column, as far as they are known; the column by its header where that is known.
func (e *Error) Place() string { return e.Where().String() }

// Where is Place in any language.
func (e *Error) Where() Text {
	var parts []string
	if e.File != "" {
		parts = append(parts, e.File)
	}
	if e.Line > 0 {
		parts = append(parts, fmt.Sprint(e.Line))
		if e.Column > 0 && e.Header == "" {
			parts = append(parts, fmt.Sprint(e.Column))
		}
	}
	place := strings.Join(parts, ":")
	if e.Header != "" {
		return Say("%s, column %q", place, e.Header)
	}
	return Say("%s", place)
}

// Told returns what was wrong and what to do, each the code's own where none was given.
func (e *Error) Told() (message, fix Text) {
	message, fix = e.Message, e.Fix
	if message.IsZero() {
		message = e.Code.Wrong("")
	}
	if fix.IsZero() {
		fix = e.Code.Cure()
	}
	return message, fix
}

// Text returns what was wrong in English.
func (e *Error) Text() string {
	message, _ := e.Told()
	return message.String()
}

// Remedy returns what to do in English.
func (e *Error) Remedy() string {
	_, fix := e.Told()
	return fix.String()
}

func (e *Error) Error() string {
	if place := e.Place(); place != "" {
		return fmt.Sprintf("%s: %s (%s)", place, e.Text(), e.Code)
	}
	return fmt.Sprintf("%s (%s)", e.Text(), e.Code)
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the Error in err's chain, or CodeInternal where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
