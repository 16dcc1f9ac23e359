package main

import (
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

// selectionFlags narrow who is listed.
type selectionFlags struct {
	domain, claimType string
}

func (f *selectionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.domain, "domain", "", "only addresses in this domain; its subdomains are domains of their own")
	cmd.Flags().StringVar(&f.claimType, "type", "", "only users whose claim would be immediate, or delayed")
}

func (f *selectionFlags) selection() (people.Selection, error) {
	var s people.Selection
	if f.domain != "" {
		key, ok := schema.DomainKey(f.domain)
		if !ok {
			return s, usage("--domain %q is not a domain name.", f.domain).WithFix("Write it as example.com.")
		}
		s.Domain = key
	}
	if f.claimType != "" {
		t, ok := schema.ParseClaimType(f.claimType)
		if !ok {
			return s, notOneOf("--type", f.claimType, claimTypes)
		}
		s.Type = t
	}
	return s, nil
}

// words returns the flags as somebody would write them.
func (f *selectionFlags) words() []string {
	var words []string
	if f.domain != "" {
		words = append(words, "--domain", f.domain)
	}
	if f.claimType != "" {
		words = append(words, "--type", f.claimType)
	}
	return words
}

func (a *app) exportCommand() *cobra.Command {
	var selection selectionFlags
	var output, delimiter string
	var excel, force bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the users that can be claimed to a CSV file, or to a workbook",
		Long: `Writes the users that can be claimed to a CSV file, or to an Excel workbook where the file is called .xlsx, one row each. Edit it:
delete rows or write FALSE in the Claim column to leave users alone, change names, assign services. Then validate and import it.`,
		Example: `  claimline export --org acme -o users.csv
  claimline export --org acme -o users.xlsx
  claimline export --org acme --excel --delimiter semicolon \
    --domain acme.example -o users.csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			narrowed, err := selection.selection()
			if err != nil {
				return err
			}
			comma, ok := delimiters[delimiter]
			if !ok {
				return notOneOf("--delimiter", delimiter, slices.Sorted(maps.Keys(delimiters)))
			}
			sheet := isWorkbookName(output)
			if sheet && (excel || cmd.Flags().Changed("delimiter")) {
				return usage("--excel and --delimiter are about CSV, and %s is a workbook.", output).WithFix("Leave them out, or name a file .csv.")
			}
			if err := a.checkTarget(output); err != nil {
				return err
			}
			if err := mayCreate(output, force); err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), reads, func(p *session, organization schema.Organization) error {
				progress, clearProgress := a.counting(pipeline.Exporting)
				if output == "" { // the rows themselves go to stdout
					progress = nil
				}
				defer clearProgress()
				rows := 0
				err := a.writeOutput(output, func(to io.Writer) (err error) {
					format := schema.Format{Delimiter: comma, CRLF: excel, BOM: excel, Workbook: sheet}
					rows, err = p.people.Export(cmd.Context(), organization.ID, narrowed, format, to, progress)
					return err
				})
				clearProgress()
				if err != nil {
					return err
				}
				a.warnDirectorySync(organization)
				a.say("Exported %s.", users(rows))
				return nil
			})
		},
	}
	selection.add(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; .xlsx: an Excel workbook (default: stdout)")
	cmd.Flags().BoolVar(&force, "force", false, "write over the file where it is there already")
	cmd.Flags().StringVar(&delimiter, "delimiter", "comma", "comma, semicolon (for an Excel whose list separator it is), tab or bar")
	cmd.Flags().BoolVar(&excel, "excel", false, "write the CSV file so that Excel opens it well: BOM and CRLF")
	return cmd
}

// delimiters are the names of those that a file may have.
var delimiters = map[string]byte{"comma": ',', "semicolon": ';', "tab": '\t', "bar": '|'}

// warnDirectorySync says that nothing can be claimed now (see R10).
func (a *app) warnDirectorySync(organization schema.Organization) {
	if organization.DirectorySync {
		a.say("Warning: directory synchronization is on in %s, so nobody can be claimed (%s).\n  Fix: %s",
			schema.Printable(organization.Name), schema.CodeDirectorySyncEnabled, schema.CodeDirectorySyncEnabled.Cure())
	}
}
