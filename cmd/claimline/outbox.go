package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// outboxPage is how many mails are looked at a time.
const outboxPage = 1000

func (a *app) outboxCommand() *cobra.Command {
	var state string
	var limit int
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "List the mails that wait, were sent or have failed; try again, or mail by other means",
		Long: `Lists the mails: to owners of claimed accounts, reports of imports, and messages to programs. With --org, those of one organization.
The first 250 are shown; --limit 0 shows all. Mails of claims that were retracted or closed before they were sent have left the outbox.`,
		Example: `  claimline outbox --org acme
  claimline outbox --state failed --json`,
		Args: groupArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := mailFilter(state)
			if err != nil {
				return err
			}
			if limit < 0 {
				return notALimit(limit, "mails")
			}
			return a.withStore(cmd.Context(), reads, func(p *session) error {
				organization, err := a.anyOrganization(cmd.Context(), p.Store)
				if err != nil {
					return err
				}
				filter.Organization = organization.ID
				if !a.flags.json && !cmd.Flags().Changed("limit") {
					limit = p.Policy.ScreenLimit
				}
				if a.flags.json {
					return a.writeOutput("", func(to io.Writer) error {
						return writeList(to, func(each func(schema.OutboxEntry) error) error {
							return eachMail(cmd.Context(), p, filter, limit, each)
						})
					})
				}
				return a.showOutbox(cmd.Context(), p, filter, limit)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only mails that are waiting, sent or failed")
	cmd.Flags().IntVar(&limit, "limit", 0, "list so many mails at most; 0: all (default: 250 as text, all as JSON)")
	cmd.AddCommand(a.outboxExportCommand(), a.outboxRetryCommand())
	return cmd
}

// groupArgs refuses arguments of a command that also groups others: they are no command.
func groupArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return nil
}

// mailStates are what --state can be.
var mailStates = func() (names []string) {
	for _, state := range schema.MailStates {
		names = append(names, string(state))
	}
	return names
}()

func mailFilter(state string) (store.MailFilter, error) {
	if state != "" && !slices.Contains(mailStates, state) {
		return store.MailFilter{}, notOneOf("--state", state, mailStates)
	}
	return store.MailFilter{State: schema.MailState(state)}, nil
}

// eachMail hands over mails in the order of their numbers, so many at most; limit 0: all.
func eachMail(ctx context.Context, p *session, filter store.MailFilter, limit int, each func(schema.OutboxEntry) error) error {
	for after, left := int64(0), limit; ; {
		size := outboxPage
		if limit > 0 {
			size = min(size, left)
		}
		page, err := p.Store.ListMails(ctx, p.people.Rules(), filter, after, size)
		if err != nil {
			return err
		}
		for i := range page {
			after = page[i].ID
			if err := each(page[i].Entry()); err != nil {
				return err
			}
		}
		if left -= len(page); len(page) < size || limit > 0 && left == 0 {
			return nil
		}
	}
}

func (a *app) showOutbox(ctx context.Context, p *session, filter store.MailFilter, limit int) (err error) {
	t := screen.NewTable(screen.Numeric("ID"), screen.Whole("Kind"), screen.Whole("State"), screen.Address("To"), screen.Numeric("Attempts"),
		screen.When("Next attempt"), screen.When("Sent"), screen.Text("Error"))
	defer func() { _ = t.Close() }()
	err = eachMail(ctx, p, filter, limit, func(e schema.OutboxEntry) error {
		return t.Add(e.ID, e.Kind, string(e.State), schema.Printable(e.To), a.number(e.Attempts), screen.Stamp(e.NextAttemptAt), screen.Stamp(e.SentAt), schema.Printable(e.Error))
	})
	if err != nil {
		return err
	}
	if t.Len() == 0 {
		a.say("There are no such mails.")
		return nil
	}
	if err := a.writeTable(a.stdout, t); err != nil {
		return err
	}
	if t.Len() == limit {
		a.say("These are the first %s; --limit 0 shows all.", schema.Number(limit))
	}
	if !a.config.mailed() {
		a.say(notMailed)
	}
	return nil
}

// notMailed says why mails wait.
const notMailed = "Mail is not set up (smtp.host in the configuration): mails will be mailed once it is."

func (a *app) outboxRetryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retry [ID...]",
		Short: "Try mails again now that wait or have failed; without ids, all of them",
		Example: `  claimline outbox retry --org acme
  claimline outbox retry --org acme 1 2`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]int64, len(args))
			for i, arg := range args {
				id, err := strconv.ParseInt(arg, 10, 64)
				if err != nil || id <= 0 {
					return schema.Refuse(schema.CodeMailNotFound, "There is no mail %q in the outbox.", schema.Shorten(arg))
				}
				ids[i] = id
			}
			return a.withStore(cmd.Context(), writes, func(p *session) error {
				organization, err := a.anyOrganization(cmd.Context(), p.Store)
				if err != nil {
					return err
				}
				n, err := p.Store.RetryMails(cmd.Context(), p.people.Rules(), organization.ID, ids)
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.answer(map[string]int{"retried": n})
				}
				if !a.config.mailed() {
					a.say(notMailed)
					return nil
				}
				a.say("%s tried again, by the service. Mails that wait for their first turn are sent all the same.", schema.SayCount(n, "%s mail is", "%s mails are"))
				return nil
			})
		},
	}
}

// exportHeader is the header of an export of the outbox.
var exportHeader = []string{"address", "name", "language", "link", "date"}

func (a *app) outboxExportCommand() *cobra.Command {
	var sent, force bool
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write waiting mails with their personal links to a CSV file, to be mailed by other means",
		Long: `Writes a row for each owner whose claim mail or reminder waits: address, name, language, personal link, and the date by which to choose
(blank: none). FILE may be - for stdout. The links work at once, and nobody can find them out again: keep the file to yourself. The mails go
on waiting, unless --sent says that they are on their way.`,
		Example: `  claimline outbox export --org acme --config samples/service.yaml mails.csv
  claimline outbox export --org acme --config samples/service.yaml --sent \
    mails.csv`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.config.Service.BaseURL == "" {
				return schema.Refuse(schema.CodeConfigInvalid, "Nothing says at which address the links lead to the service.").
					WithFix("Set service.base_url in the configuration, as in https://claimline.acme.example.")
			}
			if err := a.checkTarget(args[0]); err != nil {
				return err
			}
			if err := mayCreate(args[0], force); err != nil {
				return err
			}
			return a.withOrganization(cmd.Context(), writes, func(p *session, organization schema.Organization) error {
				n := 0
				err := a.writeOutput(args[0], func(to io.Writer) (err error) {
					n, err = a.exportMails(cmd.Context(), p, organization.ID, sent, to)
					return err
				})
				if err != nil {
					return err
				}
				a.say("Exported %s with a personal link each.", schema.SayCount(n, "%s mail", "%s mails"))
				if !sent && n > 0 {
					a.say("They still wait. Once they are on their way, have them count as sent: add --sent.")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&sent, "sent", false, "count the mails as sent, so that nobody is mailed twice")
	cmd.Flags().BoolVar(&force, "force", false, "write over the file where it is there already")
	return cmd
}

// exportMails writes the waiting mails of an organization that bear a link, each claim once.
func (a *app) exportMails(ctx context.Context, p *session, organization string, sent bool, to io.Writer) (n int, err error) {
	w := dialect.NewWriter(to, schema.Format{Delimiter: ','})
	if err := w.Write(exportHeader); err != nil {
		return 0, unwritable(schema.Word("The export"), err)
	}
	rules := p.people.Rules()
	seen := map[int64]bool{}
	link := func() (string, []byte) { return notify.NewLink(a.config.Service.BaseURL) }
	for after := int64(0); ; {
		linked, next, err := p.Store.LinkMails(ctx, rules, organization, after, outboxPage, sent, link)
		if err != nil {
			return n, err
		}
		for i := range linked {
			if seen[linked[i].Claim] {
				continue
			}
			seen[linked[i].Claim] = true
			n++
			if err := w.Write(exportRow(rules, &linked[i])); err != nil {
				return n, unwritable(schema.Word("The export"), err)
			}
		}
		if next == 0 {
			break
		}
		after = next
	}
	if err := w.Flush(); err != nil {
		return n, unwritable(schema.Word("The export"), err)
	}
	return n, nil
}

func exportRow(rules claim.Rules, m *store.LinkedMail) []string {
	profile := m.Account.User.Profile
	date := ""
	if m.Made.Type == schema.Delayed {
		date = rules.CompletesAt(m.Made.ClaimedAt).UTC().Format(time.RFC3339)
	} else {
		profile = profile.Edit(m.Made.Edits)
	}
	return []string{m.Account.User.Email, profile.FullName(), profile.PreferredLanguage, m.Link, date}
}

func (a *app) mailCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mail",
		Short:   "Show what mails look like",
		Example: `  claimline mail preview claim`,
		Args:    cobra.ArbitraryArgs,
		RunE:    groupOnly,
	}
	cmd.AddCommand(a.mailPreviewCommand())
	return cmd
}

// mailKinds are the kinds of mail that there are templates of.
var mailKinds = func() (names []string) {
	for _, kind := range claim.Mails {
		names = append(names, string(kind))
	}
	return names
}()

// mailFormats are how a mail can be shown.
var mailFormats = []string{formatText, "html"}

func (a *app) mailPreviewCommand() *cobra.Command {
	var language, format, output string
	cmd := &cobra.Command{
		Use:   "preview KIND",
		Short: "Show a mail with made-up data: claim, activation, reminder, completed, retracted or report",
		Long: `Shows a mail as it would be sent, with made-up data: its subject and text, or, with --format html, its page. Files in the folder
service.templates take the place of the program's own templates; what is wrong with one is said here.`,
		Example: `  claimline mail preview claim
  claimline mail preview reminder --language sv --format html -o reminder.html`,
		Args:      oneArg("kind"),
		ValidArgs: mailKinds,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(mailKinds, args[0]):
				return notOneOf("KIND", args[0], mailKinds)
			case !slices.Contains(words.Languages, words.Language(language)):
				return notOneOf("--language", language, names(words.Languages))
			case !slices.Contains(mailFormats, format):
				return notOneOf("--format", format, mailFormats)
			}
			templates, err := notify.LoadTemplates(a.config.Service.Templates)
			if err != nil {
				return err
			}
			mail, err := templates.Preview(claim.Mail(args[0]), words.Language(language))
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.answer(mail)
			}
			text := fmt.Sprintf("Subject: %s\n\n%s", mail.Subject, mail.Text)
			if format == "html" {
				text = mail.HTML
			}
			return a.writeOutput(output, func(to io.Writer) error {
				if _, err := io.WriteString(to, strings.TrimRight(text, "\n")+"\n"); err != nil {
					return unwritable(schema.Word("The mail"), err)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&language, "language", string(words.English), "en or sv")
	cmd.Flags().StringVar(&format, "format", formatText, "text or html")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write to (default: stdout)")
	return cmd
}
