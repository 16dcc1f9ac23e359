package kept

import (
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Verdict is what is known of a row while it travels: a schema.Result before its codes are put into words.
// Rows that find the same mostly share one finding, so it is not changed once a verdict has it.
type Verdict struct {
	*schema.Finding                  // nil: nothing is known yet
	ClaimID         int64            // 0: not claimed
	Edits           []usersfile.Edit // of a row that is ready or claimed
}

// NoRow is the finding of a record that is no row: the header once more. It is neither counted nor reported.
var NoRow = &schema.Finding{}

// IsRow reports whether the record is a row.
func (v *Verdict) IsRow() bool { return v.Outcome != "" }

// Problem reports whether the row wants somebody's attention: see schema.Result.Problem. One that was handed
// off does unless all that was asked of it is done.
func (v *Verdict) Problem() bool {
	return v.Outcome.Unfinished() || len(v.Reasons) > 0 && v.Reasons[0].Problem() ||
		v.Outcome == schema.Claimed && slices.ContainsFunc(v.Warnings, func(warning string) bool {
			code, _, _ := strings.Cut(warning, ":")
			return schema.Code(code) == schema.CodeLicenseMissing || schema.Code(code) == schema.CodeLicenseKept
		})
}

// Result puts the verdict on the row at this line, with this address, into words.
func (v *Verdict) Result(line int, email string) schema.Result {
	r := schema.Result{
		Line: line, Email: email, ClaimType: v.Type, Outcome: v.Outcome, Column: v.Column,
		Reasons: v.Reasons, Warnings: v.Warnings, Licenses: v.Licenses, Edits: usersfile.InColumns(v.Edits),
	}
	if len(v.Reasons) > 0 {
		r.Reason = v.Reasons[0]
	}
	r.Message, r.Fix = v.Words()
	if v.ClaimID != 0 {
		r.ClaimID = strconv.FormatInt(v.ClaimID, 10)
	}
	return r
}

// Tally counts verdicts.
func Tally(verdicts []Verdict) schema.Tally {
	var t schema.Tally
	for start, i := 0, 0; i < len(verdicts); start = i {
		f := verdicts[start].Finding
		for ; i < len(verdicts) && verdicts[i].Finding == f; i++ {
			for _, edit := range verdicts[i].Edits {
				t.CountEdit(f.Outcome, edit.Field.Name())
			}
		}
		if verdicts[start].IsRow() {
			t.Count(i-start, f.Outcome, f.Reasons, f.Warnings)
		}
	}
	return t
}
