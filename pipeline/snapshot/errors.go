package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/claimline/claimline/schema"
)

// MostErrors is how many problems are told at once.
const MostErrors = 20

// Errors are the problems for which a snapshot is refused, at least one and at most MostErrors, in the order
// of the files and of their lines. Its code is that of the first.
type Errors []*schema.Error

func (e Errors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("%v, and %d more", e[0], len(e)-1)
}

// Unwrap returns every problem.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i := range e {
		list[i] = e[i]
	}
	return list
}

// problem is a refusal, and where its file stands among the others.
type problem struct {
	*schema.Error
	file int
}

// add notes a problem of a file. What is no refusal is returned: it is broken machinery.
func (l *loading) add(file int, err error) error {
	if refused, ok := errors.AsType[*schema.Error](err); ok {
		l.problems = append(l.problems, problem{refused, file})
		return nil
	}
	return err
}

// refused returns the problems found, nil where there are none.
func (l *loading) refused() error {
	if len(l.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(l.problems, func(a, b problem) int { return cmp.Or(a.file-b.file, a.Line-b.Line) })
	list := make(Errors, min(len(l.problems), MostErrors))
	for i := range list {
		list[i] = l.problems[i].Error
	}
	return list
}
