;;; emacs_e2e.el --- drives the server from eglot, as a user would  -*- lexical-binding: t -*-
;;
;;   emacs --batch -l emacs_e2e.el SCENARIO.json        (not -Q: Debian's site-start puts eglot on the path)
;;
;; The scenario is the one of nvim_e2e.lua.  Here the editor says nothing about trust, so the server asks its one question.

(require 'package)
(package-initialize)
(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'json)

(defun e2e-say (format &rest arguments) (princ (concat (apply #'format format arguments) "\n")))
(defun e2e-fail (format &rest arguments)
  (e2e-say "FAIL %s" (apply #'format format arguments))
  (kill-emacs 1))

(defvar e2e-scenario
  (with-temp-buffer
    (insert-file-contents (or (pop command-line-args-left) (e2e-fail "a scenario is needed")))
    (json-parse-buffer :array-type 'list)))
(defun e2e-the (name) (gethash name e2e-scenario))

(setq eglot-sync-connect (e2e-the "seconds")
      eglot-autoshutdown nil
      eglot-send-changes-idle-time 0
      flymake-no-changes-timeout 0.1
      make-backup-files nil
      create-lockfiles nil)
(set-language-environment "UTF-8")
(load (e2e-the "setup") nil t t)

(defvar e2e-questions nil "What the server asked, newest first: the question and its answers.")
(advice-add 'completing-read :override
            (lambda (prompt answers &rest _)
              (let ((titles (all-completions "" answers)))
                (push (cons prompt titles) e2e-questions)
                (or (car (member "Trust" titles)) (e2e-fail "a question without the answer Trust: %s %S" prompt titles)))))

(defun e2e-expect (what condition)
  (if condition (e2e-say "ok   %s" what) (e2e-fail "%s" what)))
(defun e2e-wait (what condition)
  (let ((end (+ (float-time) (e2e-the "seconds"))))
    (while (and (not (funcall condition)) (< (float-time) end))
      ;; A batch Emacs has no idle timers: send pending changes and start flymake by hand.
      (when (eglot-current-server) (eglot--signal-textDocument/didChange))
      (flymake-start)
      (accept-process-output nil 0.05))
    (e2e-expect what (funcall condition))))

(defun e2e-findings (code)
  (cl-remove-if-not (lambda (diagnostic) (string-match-p (regexp-quote code) (flymake-diagnostic-text diagnostic)))
                    (flymake-diagnostics)))
(defun e2e-request (method parameters)
  (condition-case problem
      (jsonrpc-request (eglot-current-server) method parameters :timeout (e2e-the "seconds"))
    (jsonrpc-error (e2e-fail "%s: %S" method (cdr problem)))))
(defun e2e-line (text)
  (goto-char (point-min))
  (forward-line (1- (e2e-the "line")))
  (delete-region (point) (line-end-position))
  (insert text)
  (let ((inhibit-message t)) (save-buffer)))

(find-file (e2e-the "file"))
(apply #'eglot (eglot--guess-contact))
(e2e-wait "eglot is connected" #'eglot-current-server)
(flymake-mode 1)
(e2e-wait "opening the file shows PX401" (lambda () (= 1 (length (e2e-findings "PX401")))))
(e2e-expect (format "the server asked once: %S" (car e2e-questions)) (= 1 (length e2e-questions)))
(let ((finding (car (e2e-findings "PX401"))))
  (e2e-say "      %s" (flymake-diagnostic-text finding))
  (e2e-expect "it is an error" (eq 'eglot-error (flymake-diagnostic-type finding)))
  (e2e-expect "it is on the broken line" (= (e2e-the "line") (line-number-at-pos (flymake-diagnostic-beg finding))))
  ;; Emacs counts characters and the protocol UTF-16 units, which differ after the emoji.
  (let ((underlined (buffer-substring-no-properties (flymake-diagnostic-beg finding) (flymake-diagnostic-end finding))))
    (e2e-expect (format "it underlines: %s" underlined) (equal underlined (e2e-the "underlined"))))
  (goto-char (flymake-diagnostic-beg finding)))
(let* ((hover (e2e-request :textDocument/hover (eglot--TextDocumentPositionParams)))
       (contents (plist-get hover :contents)))
  (e2e-expect "hover shows the report" (string-match-p "10 failed of 10 cases" (plist-get contents :value)))
  (e2e-expect "in plain text, as eglot wants it" (equal "plaintext" (plist-get contents :kind))))
;; Called from Lisp, eglot-code-actions gives the actions back instead of asking which one to take.
(let ((titles (mapcar (lambda (action) (plist-get action :title))
                      (append (eglot-code-actions (point) (1+ (point)) nil nil) nil))))
  (e2e-expect (format "a code action re-runs the case: %S" titles)
              (cl-some (lambda (title) (string-prefix-p "Re-run the failing case only" title)) titles)))

;; What was said of the old text goes with the first keystroke, so only the report tells what the new one came to.
(defun e2e-verdict (what status count)
  (e2e-wait what (lambda ()
                   (let ((report (e2e-request :pixelLsp/report (eglot--TextDocumentIdentifier))))
                     (and (eq t (plist-get report :current))
                          (not (eq t (plist-get report :checking)))
                          (equal status (plist-get (elt (plist-get report :kernels) 0) :status))))))
  (e2e-wait "and so says the buffer" (lambda () (= count (length (e2e-findings "PX401"))))))

(e2e-verdict "the report is that of the failure" "failed" 1)
(e2e-line (e2e-the "mended"))
(e2e-verdict "saving the mended line proves it right" "passed" 0)
(e2e-line (e2e-the "broken"))
(e2e-verdict "saving the mistake again brings it back" "failed" 1)
(e2e-line (e2e-the "mended"))
(e2e-verdict "and mending it proves it right again" "passed" 0)
(e2e-expect "the server asked only once" (= 1 (length e2e-questions)))

(let* ((server (eglot-current-server))
       (process (jsonrpc--process server)))
  (e2e-request :shutdown nil)
  (jsonrpc-notify server :exit nil)
  (let ((end (+ (float-time) (e2e-the "seconds"))))
    (while (and (process-live-p process) (< (float-time) end)) (accept-process-output process 0.05)))
  (e2e-expect "the server stopped with exit code 0" (and (not (process-live-p process)) (= 0 (process-exit-status process)))))
(e2e-say "PASS emacs %s" emacs-version)
(kill-emacs 0)
