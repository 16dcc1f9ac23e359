package notify

import (
	"strings"
	"unicode/utf8"
)

// block is a piece of a mail, as its words are marked:
//
//	# title   ## heading   - item   (two blanks) more of the item   | label | value   => button   ~ small print
//
// Lines without a mark that follow each other are one paragraph. No mark makes a link but the button, which
// leads where the letter says: no name in a mail can lead anywhere.
type block struct {
	Kind  string // "title", "heading", "text", "list", "facts", "button" or "small"
	Text  string
	URL   string // of a button
	Items []item // of a list
	Facts []fact // of facts
}

type item struct{ Text, More string }

type fact struct{ Label, Value string }

// parseBlocks takes marked words apart. A button leads to a page; where there is none, it is left out.
func parseBlocks(words, page string) (blocks []block) {
	apart := true // the line before ends what it belongs to
	last := func(kind string) *block {
		if apart || len(blocks) == 0 || blocks[len(blocks)-1].Kind != kind {
			blocks = append(blocks, block{Kind: kind})
		}
		return &blocks[len(blocks)-1]
	}
	for line := range strings.Lines(words) {
		more := strings.HasPrefix(line, "  ")
		line = strings.TrimSpace(line)
		if line == "" {
			apart = true
			continue
		}
		mark, rest, _ := strings.Cut(line, " ")
		add(last, mark, strings.TrimSpace(rest), line, page, more)
		apart = false
	}
	return blocks
}

// add adds a line to the block that it belongs to.
func add(last func(kind string) *block, mark, rest, line, page string, more bool) {
	switch mark {
	case "#":
		last("title").Text = rest
	case "##":
		last("heading").Text = rest
	case "-":
		list := last("list")
		list.Items = append(list.Items, item{Text: rest})
	case "|":
		label, value, _ := strings.Cut(rest, " | ")
		facts := last("facts")
		facts.Facts = append(facts.Facts, fact{label, strings.TrimSpace(value)})
	case "=>":
		if page != "" {
			*last("button") = block{Kind: "button", Text: rest, URL: page}
		}
	case "~":
		*last("") = block{Kind: "small", Text: rest}
	default:
		if more {
			list := last("list")
			if len(list.Items) == 0 {
				list.Items = append(list.Items, item{})
			}
			of := &list.Items[len(list.Items)-1]
			of.More = joined(of.More, line)
			return
		}
		text := last("text")
		text.Text = joined(text.Text, line)
	}
}

func joined(before, line string) string {
	if before == "" {
		return line
	}
	return before + " " + line
}

// textWidth is how wide a mail is as text.
const textWidth = 72

// plainText writes blocks as text.
func plainText(blocks []block, footer string) string {
	var parts []string
	for _, b := range blocks {
		switch b.Kind {
		case "title":
			parts = append(parts, wrap(b.Text, "")+"\n"+strings.Repeat("=", min(utf8.RuneCountInString(b.Text), textWidth)))
		case "heading":
			parts = append(parts, wrap(b.Text, "")+"\n"+strings.Repeat("-", min(utf8.RuneCountInString(b.Text), textWidth)))
		case "list":
			var lines []string
			for _, i := range b.Items {
				lines = append(lines, "- "+wrap(i.Text, "  "))
				if i.More != "" {
					lines = append(lines, "  "+wrap(i.More, "  "))
				}
			}
			parts = append(parts, strings.Join(lines, "\n"))
		case "facts":
			width := 0
			for _, f := range b.Facts {
				width = max(width, utf8.RuneCountInString(f.Label))
			}
			var lines []string
			for _, f := range b.Facts {
				lines = append(lines, f.Label+":"+strings.Repeat(" ", width-utf8.RuneCountInString(f.Label)+2)+f.Value)
			}
			parts = append(parts, strings.Join(lines, "\n"))
		case "button":
			parts = append(parts, b.Text+":\n"+b.URL)
		default:
			parts = append(parts, wrap(b.Text, ""))
		}
	}
	return strings.Join(append(parts, "-- \n"+wrap(footer, "")), "\n\n") + "\n"
}

// wrap breaks text into lines; later ones are indented. What has no blank is not broken.
func wrap(text, indent string) string {
	var b strings.Builder
	at := len(indent)
	for i, word := range strings.Fields(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+width > textWidth:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += width
	}
	return b.String()
}

// preview returns what mail programs show beside the subject: the first paragraph that is no greeting.
func preview(blocks []block) string {
	for _, b := range blocks {
		if b.Kind == "text" && utf8.RuneCountInString(b.Text) > textWidth {
			return b.Text
		}
	}
	return ""
}
