package usersfile

import "github.com/claimline/claimline/schema"

func EmailColumnMissing(file string, reader any) error {
	return schema.Refuse(schema.CodeEmailColumnMissing, "")
}
