-- Drives the server from a real Neovim, as a user would: open, read the finding, hover, lens, quick fix, mend the line, save.
--
--   nvim --headless --clean -n -l nvim_e2e.lua SCENARIO.json
--
-- The scenario names the set-up to load (that of docs/editors.md), the file (a copy: it is written), its broken line (from 1),
-- the text that the finding must underline, the line without the mistake, and the seconds to wait for each step.
local path = _G.arg[1]
local scenario = vim.json.decode(table.concat(vim.fn.readfile(path), '\n'))
local timeout = scenario.seconds * 1000

local function say(...) io.stdout:write(table.concat({ ... }, ' '), '\n') end
local function fail(message)
  say('FAIL', message)
  vim.cmd('cquit 1')
end
local function expect(what, condition)
  if not condition then fail(what) end
  say('ok  ', what)
end
local function wait(what, condition)
  if not vim.wait(timeout, condition, 20) then fail('timeout: ' .. what) end
  say('ok  ', what)
end

local exit
dofile(scenario.setup)
vim.lsp.config('pixel-lsp', { on_exit = function(code, signal) exit = { code = code, signal = signal } end })
vim.cmd('filetype on')
vim.cmd.edit(vim.fn.fnameescape(scenario.file))
local buffer = vim.api.nvim_get_current_buf()
wait('opening the file starts the server', function() return #vim.lsp.get_clients({ name = 'pixel-lsp', bufnr = buffer }) == 1 end)
local client = vim.lsp.get_clients({ name = 'pixel-lsp', bufnr = buffer })[1]
wait('the server answered initialize', function() return client.initialized end)
expect('it took the encoding that Neovim likes best: ' .. client.offset_encoding, client.offset_encoding == 'utf-8')

local function findings(code)
  return vim.tbl_filter(function(d) return d.code == code end, vim.diagnostic.get(buffer))
end
local function line(text)
  vim.api.nvim_buf_set_lines(buffer, scenario.line - 1, scenario.line, true, { text })
  vim.cmd('silent write')
end
local function request(method, params)
  local reply, problem = client:request_sync(method, params, timeout, buffer)
  if not reply or reply.err then fail(method .. ': ' .. (problem or vim.inspect(reply.err))) end
  return reply.result
end

wait('opening the file shows PX401', function() return #findings('PX401') == 1 end)
local finding = findings('PX401')[1]
say('     ', finding.message)
expect('its source is pixel-lsp', finding.source == 'pixel-lsp')
expect('it is an error', finding.severity == vim.diagnostic.severity.ERROR)
expect('it is on the broken line', finding.lnum == scenario.line - 1 and finding.end_lnum == finding.lnum)
-- Neovim counts bytes, so a server that counted otherwise would underline something else after the emoji and the accent.
local underlined = vim.api.nvim_buf_get_text(buffer, finding.lnum, finding.col, finding.end_lnum, finding.end_col, {})[1]
expect('it underlines: ' .. underlined, underlined == scenario.underlined)

local document = { uri = vim.uri_from_bufnr(buffer) }
local start = { line = finding.lnum, character = finding.col }
local hover = request('textDocument/hover', { textDocument = document, position = start })
local shown = vim.inspect(hover.contents)
expect('hover shows the report', shown:find('10 failed of 10 cases', 1, true) ~= nil)

local lenses = request('textDocument/codeLens', { textDocument = document })
expect('there is a lens over the entry point', #lenses > 0)
for _, lens in ipairs(lenses) do
  say('      lens on line', lens.range.start.line + 1 .. ':', lens.command and lens.command.title or '(to be resolved)')
end

local actions = request('textDocument/codeAction', {
  textDocument = document,
  range = finding.user_data.lsp.range,
  context = { diagnostics = { finding.user_data.lsp } },
})
local titles = table.concat(vim.tbl_map(function(action) return action.title end, actions), ', ')
expect('a code action re-runs the case: ' .. titles, titles:find('Re-run the failing case only', 1, true) ~= nil)

-- What was said of the old text goes with the first keystroke, so only the report tells what the new one came to.
local function verdict(what, status, count)
  local report
  for _ = 1, scenario.seconds * 10 do
    report = request('pixelLsp/report', document)
    if report.current and not report.checking then break end
    vim.wait(100)
  end
  expect(what, report.current and report.kernels[1].status == status)
  wait('and so says the buffer', function() return #findings('PX401') == count end)
end

verdict('the report is that of the failure', 'failed', 1)
line(scenario.mended)
verdict('saving the mended line proves it right', 'passed', 0)
line(scenario.broken)
verdict('saving the mistake again brings it back', 'failed', 1)
line(scenario.broken .. ' // again')
line(scenario.mended)
verdict('two edits in a row give the verdict of the last', 'passed', 0)
expect('no other error is left', #vim.diagnostic.get(buffer, { severity = vim.diagnostic.severity.ERROR }) == 0)

client:stop()
wait('the server stopped', function() return exit ~= nil end)
expect('with exit code 0', exit.code == 0 and exit.signal == 0)
local version = vim.version()
say(('PASS nvim %d.%d.%d'):format(version.major, version.minor, version.patch))
vim.cmd('qall!')
