package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

func versionText() string {
	return fmt.Sprintf("claimline %s\n%s\n%s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of this program",
		Example:           `  claimline version`,
		Args:              noArgs,
		PersistentPreRunE: withoutConfig,
		RunE: func(*cobra.Command, []string) error {
			if a.flags.json {
				return a.answer(map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			if _, err := fmt.Fprint(a.stdout, versionText()); err != nil {
				return unwritable(schema.Word("The answer"), err)
			}
			return nil
		},
	}
}
