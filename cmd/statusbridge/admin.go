package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
	"github.com/statusbridge/statusbridge/internal/status"
	"github.com/statusbridge/statusbridge/internal/store"
	"github.com/statusbridge/statusbridge/internal/web"
)

type adminCmd struct {
	Create        adminCreate   `cmd:"" help:"Create an account."`
	List          adminList     `cmd:"" help:"List the accounts."`
	ResetPassword adminReset    `cmd:"" help:"Give an account a new password and sign it out everywhere."`
	ResetTotp     adminTOTP     `cmd:"" help:"Take the second factor of an account away, when the phone and the recovery codes are lost."`
	ResetPasskeys adminPasskeys `cmd:"" help:"Take the passkeys of an account away, when a device that has one is lost."`
	Disable       adminOff      `cmd:"" help:"Disable an account and sign it out everywhere."`
}

type adminCreate struct {
	Email         string `arg:"" help:"The address to sign in with."`
	Name          string `help:"How the audit log calls the person."`
	Role          string `enum:"viewer,responder,admin" default:"admin" help:"viewer, responder or admin."`
	PasswordStdin bool   `help:"Read the password from standard input instead of making one."`
}

func (a *adminCreate) Run(c *cli) error {
	if name, host, found := strings.Cut(strings.TrimSpace(a.Email), "@"); !found || name == "" || host == "" {
		return fmt.Errorf("%q is no email address, such as jo@example.com", a.Email)
	}
	password, shown, err := choosePassword(a.PasswordStdin)
	if err != nil {
		return err
	}
	return c.withStoreFor(quick, store.Open, func(ctx context.Context, s *store.Store) error {
		if _, err := s.Migrate(ctx); err != nil {
			return err
		}
		hash, err := web.HashPassword(password)
		if err != nil {
			return err
		}
		email := strings.ToLower(strings.TrimSpace(a.Email))
		account := status.Account{
			ID: app.NewID(), Email: email, Name: a.Name, Role: status.Role(a.Role), PasswordHash: hash, CreatedAt: app.Clock{}.Now(),
		}
		if err := s.CreateAccount(ctx, account); err != nil {
			return fmt.Errorf("create %s: %w", email, err)
		}
		if err := record(ctx, s, "created an account", email+", "+a.Role); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "created %s (%s)%s\n", email, a.Role, shown)
		return nil
	})
}

type adminReset struct {
	Email         string `arg:"" help:"Of the account; statusbridge admin list shows them."`
	PasswordStdin bool   `help:"Read the password from standard input instead of making one."`
}

func (a *adminReset) Run(c *cli) error {
	password, shown, err := choosePassword(a.PasswordStdin)
	if err != nil {
		return err
	}
	hash, err := web.HashPassword(password)
	if err != nil {
		return err
	}
	return c.changeAccount(a.Email, "reset a password", "password of %s is new"+shown+"\n", func(ctx context.Context, s *store.Store, acc status.Account) error {
		acc.PasswordHash = hash
		return s.SaveAccount(ctx, acc)
	})
}

type adminTOTP struct {
	Email string `arg:"" help:"Of the account; statusbridge admin list shows them."`
}

func (a *adminTOTP) Run(c *cli) error {
	return c.changeAccount(a.Email, "took a second factor away", "%s signs in with the password only, until a new second factor is set up\n", func(ctx context.Context, s *store.Store, acc status.Account) error {
		return s.RemoveAuthenticator(ctx, acc.ID)
	})
}

type adminPasskeys struct {
	Email string `arg:"" help:"Of the account; statusbridge admin list shows them."`
}

func (a *adminPasskeys) Run(c *cli) error {
	return c.changeAccount(a.Email, "took passkeys away", "%s has no passkeys and signs in with the password\n", func(ctx context.Context, s *store.Store, acc status.Account) error {
		return s.RemovePasskeys(ctx, acc.ID)
	})
}

type adminOff struct {
	Email string `arg:"" help:"Of the account; statusbridge admin list shows them."`
}

func (a *adminOff) Run(c *cli) error {
	return c.changeAccount(a.Email, "disabled an account", "%s is disabled\n", func(ctx context.Context, s *store.Store, acc status.Account) error {
		acc.Disabled = true
		return s.SaveAccount(ctx, acc)
	})
}

// changeAccount carries a change out, ends the account's sessions, and writes
// the audit log.
func (c *cli) changeAccount(email, action, said string, change func(context.Context, *store.Store, status.Account) error) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		email = strings.ToLower(strings.TrimSpace(email))
		acc, err := s.AccountByEmail(ctx, email)
		if errors.Is(err, status.ErrNotFound) {
			return fmt.Errorf("there is no account %s; `statusbridge admin list` shows them", email)
		}
		if err != nil {
			return err
		}
		if err := change(ctx, s, acc); err != nil {
			return err
		}
		if err := s.DeleteSessions(ctx, acc.ID); err != nil {
			return err
		}
		if err := record(ctx, s, action, email); err != nil {
			return err
		}
		fmt.Fprintf(c.out, said, email)
		return nil
	})
}

type adminList struct{}

func (adminList) Run(c *cli) error {
	return c.withStore(func(ctx context.Context, s *store.Store) error {
		accounts, err := s.Accounts(ctx)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			last := "never signed in"
			if !a.LastLoginAt.IsZero() {
				last = "last signed in " + a.LastLoginAt.UTC().Format(time.RFC3339)
			}
			if a.Disabled {
				last = "disabled"
			}
			fmt.Fprintf(c.out, "%-30s  %-9s  %s\n", a.Email, a.Role, last)
		}
		return nil
	})
}

// choosePassword reads one, or makes one and says what to print of it.
func choosePassword(stdin bool) (password, shown string, err error) {
	if !stdin {
		password = web.NewPassword()
		return password, ", password " + password, nil
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	password = strings.TrimRight(line, "\r\n")
	if len(password) < 8 {
		return "", "", errors.Join(errors.New("standard input: the password needs at least 8 characters"), ignoreEOF(err))
	}
	return password, "", nil
}

func ignoreEOF(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}
