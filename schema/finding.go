package schema

import "slices"

// Finding is what was found of a row, apart from where it stands: many rows find the same.
type Finding struct {
	Outcome  Outcome   `json:"o"`
	Type     ClaimType `json:"t,omitempty"`
	Reasons  []Code    `json:"r,omitempty"` // all that apply, in the order of the checks
	Column   string    `json:"c,omitempty"` // header of the offending cell
	Hint     Hint      `json:"h,omitempty"` // what in particular is wrong; blank: what the first reason says
	Details  []string  `json:"d,omitempty"` // what the message adds
	Message  string    `json:"m,omitempty"` // in the words of somebody else; blank: in ours
	Fix      string    `json:"f,omitempty"` // what to do about that
	Warnings []string  `json:"w,omitempty"`
	Licenses []string  `json:"l,omitempty"`
}

// NewFinding returns a finding of one reason.
func NewFinding(reason Code, column string, details ...string) *Finding {
	f := &Finding{}
	f.Add(reason, column, details...)
	return f
}

// Add notes one more reason, once; the first decides outcome, column and details.
func (f *Finding) Add(reason Code, column string, details ...string) {
	if len(f.Reasons) == 0 {
		f.Outcome, f.Column, f.Details = reason.Outcome(), column, details
	} else if slices.Contains(f.Reasons, reason) {
		return
	}
	f.Reasons = append(f.Reasons, reason)
}

// Explain sets what in particular is wrong.
func (f *Finding) Explain(hint Hint, details ...string) {
	f.Hint, f.Details = hint, details
}

// Words returns the message of the first reason, and what to do about it.
func (f *Finding) Words() (message, fix string) {
	said, cure := f.Told()
	return said.String(), cure.String()
}

// Told is Words in any language.
func (f *Finding) Told() (message, fix Text) {
	switch {
	case f.Message != "":
		return Say("%s", Word(f.Message)), Say("%s", Word(f.Fix))
	case f.Hint != "":
		return f.Hint.Wrong(f.Details...), f.Hint.Cure(f.Details...)
	case len(f.Reasons) == 0:
		return Text{}, Text{}
	}
	return f.Reasons[0].Wrong(f.Details...), f.Reasons[0].Cure(f.Details...)
}
