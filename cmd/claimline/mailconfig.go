package main

import (
	"fmt"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/schema"
)

// smtpConfig is the mail server that takes the mails; without a host there is none, and mails wait.
type smtpConfig struct {
	Host         string `koanf:"host"`
	Port         int    `koanf:"port" validate:"min=0,max=65535"` // 0: as is usual for the security
	Security     string `koanf:"security"`                        // starttls, tls or none
	User         string `koanf:"user"`
	PasswordFile string `koanf:"password_file"`
	From         string `koanf:"from"` // an address, with a name if wanted
	ReplyTo      string `koanf:"reply_to"`
	PerMinute    int    `koanf:"per_minute" validate:"min=1"`
}

// webhook is a program that is told of events.
type webhook struct {
	URL          string   `koanf:"url"`
	SecretFile   string   `koanf:"secret_file"`
	Events       []string `koanf:"events"` // none: all
	AllowPrivate bool     `koanf:"allow_private"`
}

// webhookKeys are the keys of a webhook.
var webhookKeys = []string{"url", "secret_file", "events", "allow_private"}

// knownWebhookKeys refuses what means nothing in the list of webhooks.
func knownWebhookKeys(path string, value any) error {
	list, _ := value.([]any)
	for i, entry := range list {
		keys, ok := entry.(map[string]any)
		if !ok {
			return schema.Refuse(schema.CodeConfigInvalid, "The configuration's service.webhooks must be a list of url, secret_file and events.").At(path, 0, 0)
		}
		for key := range keys {
			if !slices.Contains(webhookKeys, key) {
				refused := schema.Refuse(schema.CodeConfigInvalid, "The configuration has a key that means nothing: service.webhooks[%d].%s.", i, key).At(path, 0, 0)
				if near, ok := schema.Nearest([]string{key}, webhookKeys); ok {
					return refused.WithFix("Did you mean %s?", near)
				}
				return refused.WithFix("The keys are: %s.", strings.Join(webhookKeys, ", "))
			}
		}
	}
	return nil
}

// checkMail refuses settings of mails and webhooks that cannot work.
func (c *config) checkMail() *schema.Error {
	refuse := func(key, format string, args ...any) *schema.Error {
		return schema.Refuse(schema.CodeConfigInvalid, "The configuration's %s must be %s.", key, schema.Say(format, args...))
	}
	if c.Service.BaseURL != "" {
		if _, ok := schema.ParseBaseURL(c.Service.BaseURL); !ok {
			return refuse("service.base_url", "the address at which users find the service, as in https://claimline.acme.example")
		}
	}
	if _, err := time.LoadLocation(c.Service.Zone); err != nil {
		return refuse("service.zone", "the name of a time zone, as in Europe/Stockholm")
	}
	if refused := c.checkSMTP(refuse); refused != nil {
		return refused
	}
	for i, hook := range c.Service.Webhooks {
		key := fmt.Sprintf("service.webhooks[%d].", i)
		u, err := url.Parse(hook.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
			return refuse(key+"url", "the address of a program, as in https://hooks.acme.example/claimline")
		}
		if hook.SecretFile == "" {
			return refuse(key+"secret_file", "the name of a file with the secret that messages are signed with")
		}
		for _, event := range hook.Events {
			if !slices.Contains(schema.WebhookEvents, schema.NewsEvent(event)) {
				return refuse(key+"events", "of %s", joinWords(schema.WebhookEvents))
			}
		}
	}
	return nil
}

// checkSMTP refuses settings of the mail server that cannot work.
func (c *config) checkSMTP(refuse func(key, format string, args ...any) *schema.Error) *schema.Error {
	s := &c.SMTP
	security := notify.Security(s.Security)
	if !slices.Contains([]notify.Security{notify.StartTLS, notify.TLS, notify.Clear}, security) {
		return refuse("smtp.security", "starttls, tls or none")
	}
	if s.Host == "" {
		return nil
	}
	if _, err := parseSender(s.From); err != nil {
		return refuse("smtp.from", "the address that mails are sent from, as in \"Acme IT <it@acme.example>\"")
	}
	if s.ReplyTo != "" {
		if _, err := parseSender(s.ReplyTo); err != nil {
			return refuse("smtp.reply_to", "an address, as in it@acme.example")
		}
	}
	switch {
	case (s.User == "") != (s.PasswordFile == ""):
		return refuse("smtp.user and smtp.password_file", "both there, or neither")
	case s.User != "" && security == notify.Clear:
		return refuse("smtp.security", "starttls or tls where there is a user: else everybody on the way could read the password")
	case c.Service.BaseURL == "":
		return refuse("service.base_url", "there where mails are sent, for they bear links: the address at which users find the service")
	}
	return nil
}

func parseSender(text string) (*netmail.Address, error) {
	address, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("read an address: %w", err)
	}
	if _, problem := schema.ParseAddress(address.Address); problem != "" {
		return nil, fmt.Errorf("read an address: %s", problem)
	}
	return address, nil
}

func joinWords[W ~string](words []W) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}

// mailed reports whether there is a mail server: without one, mails wait.
func (c *config) mailed() bool { return c.SMTP.Host != "" }

// zone returns the time zone of times in mails: that of schedules that name none.
func (c *config) zone() *time.Location {
	if zone, err := time.LoadLocation(c.Service.Zone); err == nil && c.Service.Zone != "" {
		return zone
	}
	return time.Local
}

// sender sets up what sends mails and messages to programs.
func (a *app) sender(p *session) (*notify.Sender, error) {
	c := &a.config
	templates, err := notify.LoadTemplates(c.Service.Templates)
	if err != nil {
		return nil, err
	}
	flow := *p.Flow
	flow.Retry = c.Service.Retry
	sending := notify.Config{
		Store: p.Store, Policy: c.Policy, BaseURL: c.Service.BaseURL, Templates: templates, Zone: c.zone(), Lease: max(c.Lease, time.Second), Log: a.log,
		Persist: flow.Persist,
	}
	if c.mailed() {
		security := notify.Security(c.SMTP.Security)
		sending.SMTP = notify.SMTP{
			Host: c.SMTP.Host, Port: c.SMTP.Port, Security: security, User: c.SMTP.User, PasswordFile: c.SMTP.PasswordFile, PerMinute: c.SMTP.PerMinute,
		}
		if sending.SMTP.Port == 0 {
			sending.SMTP.Port = security.DefaultPort()
		}
		if sending.SMTP.From, err = parseSender(c.SMTP.From); err != nil {
			return nil, err
		}
		if c.SMTP.ReplyTo != "" {
			if sending.SMTP.ReplyTo, err = parseSender(c.SMTP.ReplyTo); err != nil {
				return nil, err
			}
		}
	}
	for _, hook := range c.Service.Webhooks {
		told := notify.Webhook{URL: hook.URL, AllowPrivate: hook.AllowPrivate}
		if told.Secret, err = notify.ReadWebhookSecret(hook.SecretFile); err != nil {
			return nil, schema.Refuse(schema.CodeConfigInvalid, "The secret of a webhook cannot be used: %s.", cause(err)).At(hook.SecretFile, 0, 0).Because(err)
		}
		for _, event := range hook.Events {
			told.Events = append(told.Events, schema.NewsEvent(event))
		}
		sending.Webhooks = append(sending.Webhooks, told)
	}
	return notify.New(sending)
}

// mailLoop returns the loop that sends mails and messages to programs.
func (a *app) mailLoop(p *session) (jobs.Loop, error) {
	sender, err := a.sender(p)
	if err != nil {
		return jobs.Loop{}, err
	}
	return jobs.Loop{Name: mailLoopName, Workers: 2, RunOnce: sender.RunOnce}, nil
}

// mailLoopName is the loop's name, to be woken by.
const mailLoopName = "mail"

// contact returns the address to which owners of accounts may turn; blank: none.
func (c *config) contact() string {
	for _, text := range []string{c.SMTP.ReplyTo, c.SMTP.From} {
		if address, err := parseSender(text); err == nil {
			return address.Address
		}
	}
	return ""
}
