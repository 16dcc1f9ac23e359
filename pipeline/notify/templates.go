package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"

	"github.com/claimline/claimline/pipeline/claim"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

//go:embed templates
var embedded embed.FS

// languageOf returns the language of mails for a BCP 47 tag: English for everybody who wants none of the
// others.
func languageOf(tag string) catalogue.Language {
	if parsed, err := language.Parse(tag); err == nil {
		base, _ := parsed.Base()
		if l := catalogue.Language(base.String()); slices.Contains(catalogue.Languages, l) {
			return l
		}
	}
	return catalogue.English
}

const layoutName = "layout.html"

// Templates are the words of all mails: for each kind and language a file of words, and one page around them
// all. README.md tells what stands in them.
type Templates struct {
	words  map[string]*texttemplate.Template // by name of the file
	layout *template.Template
}

// templateName returns the name of the file with the words of a mail.
func templateName(kind claim.Mail, l catalogue.Language) string {
	return string(kind) + "." + string(l) + ".txt"
}

// LoadTemplates reads the templates: those of a folder, and the program's own for what is not there. A blank
// folder has none. Refused with CodeConfigInvalid where a file has another name than a template, or does not
// work.
func LoadTemplates(folder string) (*Templates, error) {
	known := []string{layoutName}
	for _, kind := range claim.Mails {
		for _, language := range catalogue.Languages {
			known = append(known, templateName(kind, language))
		}
	}
	own, err := readTemplates(folder, known)
	if err != nil {
		return nil, err
	}
	t := &Templates{words: map[string]*texttemplate.Template{}}
	for _, name := range known {
		text, replaced := own[name]
		if !replaced {
			data, err := embedded.ReadFile("templates/" + name)
			if err != nil {
				return nil, fmt.Errorf("read a template: %w", err)
			}
			text = string(data)
		}
		if err := t.parse(name, text); err != nil {
			return nil, invalidTemplate(filepath.Join(folder, name), err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if err := t.try(name); err != nil {
			return nil, invalidTemplate(filepath.Join(folder, name), err)
		}
	}
	return t, nil
}

// readTemplates reads the files of a folder, all of which must have known names, but for hidden ones.
func readTemplates(folder string, known []string) (map[string]string, error) {
	files := map[string]string{}
	if folder == "" {
		return files, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, schema.Refuse(schema.CodeConfigInvalid, "The folder of mail templates, service.templates, cannot be read.").At(folder, 0, 0).Because(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(folder, name)
		if strings.HasPrefix(name, ".") {
			continue
		}
		if !slices.Contains(known, name) {
			refused := schema.Refuse(schema.CodeConfigInvalid, "There is no mail template of this name.").At(path, 0, 0)
			if near, ok := schema.Nearest([]string{name}, known); ok {
				return nil, refused.WithFix("Did you mean %s? Else move the file elsewhere.", near)
			}
			return nil, refused.WithFix("Move the file elsewhere. The names are: %s.", strings.Join(known, ", "))
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, invalidTemplate(path, err)
		}
		files[name] = string(data)
	}
	return files, nil
}

func invalidTemplate(path string, err error) error {
	why := err.Error()
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		why = missing.Err.Error()
	}
	return schema.Refuse(schema.CodeConfigInvalid, "The mail template does not work: %s.", schema.Shorten(why)).At(path, 0, 0).Because(err).
		WithFix("Correct it, or delete the file: then the program's own is used.")
}

func (t *Templates) parse(name, text string) (err error) {
	if name == layoutName {
		t.layout, err = template.New(name).Parse(text)
		return err
	}
	t.words[name], err = texttemplate.New(name).Option("missingkey=error").Parse(text)
	return err
}

// try makes mails with a template that somebody has written, so that its faults are found before it is
// needed.
func (t *Templates) try(name string) error {
	for _, kind := range claim.Mails {
		for _, language := range catalogue.Languages {
			if name != layoutName && name != templateName(kind, language) {
				continue
			}
			for _, letter := range samples(kind, language) {
				if _, err := t.Render(letter); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Mail is a mail as people read it.
type Mail struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// Render writes a letter down, as text and as a page.
func (t *Templates) Render(l Letter) (Mail, error) {
	l = l.cleaned()
	var words strings.Builder
	if err := t.words[templateName(l.Kind, l.Language)].Execute(&words, &l); err != nil {
		return Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	subject, body, found := strings.Cut(strings.TrimLeft(words.String(), "\n"), "\n")
	subject, ok := strings.CutPrefix(subject, "Subject:")
	if !found || !ok || strings.TrimSpace(subject) == "" {
		return Mail{}, errors.New("the first line must be Subject: and the subject")
	}
	blocks := parseBlocks(body, l.Page)
	mail := Mail{Subject: clean(subject), Text: plainText(blocks, l.footer())}
	page := struct {
		Letter
		Subject, Preview, Footer string
		Blocks                   []block
	}{l, mail.Subject, preview(blocks), l.footer(), blocks}
	var html bytes.Buffer
	if err := t.layout.Execute(&html, page); err != nil {
		return Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	mail.HTML = html.String()
	return mail, nil
}
