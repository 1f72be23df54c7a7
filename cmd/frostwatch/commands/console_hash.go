package commands

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/passwords"
)

func (p Program) consoleHashCommand() *cobra.Command {
	var token bool
	cmd := &cobra.Command{
		Use:   "hash",
		Short: "Make the hash of a password, or a token, for the console's configuration",
		Long: `Reads a password, from the terminal without showing it or else the first line of
standard input, and prints its hash for console.users. With --token, makes a token,
and prints it and its hash for console.tokens (docs/console.md).`,
		Args: noPassword,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if token {
				return p.makeToken()
			}
			password, err := p.readPassword(cmd.InOrStdin())
			if err != nil {
				return err
			}
			h, err := passwords.Make(password)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Out, h.Text())
			return err
		},
	}
	cmd.Flags().BoolVar(&token, "token", false, "make a token of a program, not the hash of a password")
	return cmd
}

// noPassword refuses a password that other users of the machine could read in the list of
// processes. It is not repeated.
func noPassword(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("console hash takes no password as an argument, which others could see: type it when asked, or send it to standard input")
	}
	return nil
}

// readPassword asks twice at a terminal, and elsewhere reads a line.
func (p Program) readPassword(in io.Reader) (string, error) {
	f, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, passwords.Longest+2)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, ask := range []string{"Password: ", "Again: "} {
		_, _ = fmt.Fprint(p.Err, ask)
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(p.Err)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return typed[0], nil
}

func (p Program) makeToken() error {
	token := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(token))
	_, err := fmt.Fprintf(p.Out, "token: %s\nhash:  %s%s\n", token, config.TokenHash, hex.EncodeToString(sum[:]))
	return err
}
