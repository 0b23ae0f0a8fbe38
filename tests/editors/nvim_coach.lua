-- Drives the coach from a real Neovim, as a user would: run the task of a lens, watch it, look at the candidate, take one hunk, leave the
-- others out, save; then run another task and cancel it in the middle.
--
--   nvim --headless --clean -n -l nvim_coach.lua SCENARIO.json
--
-- The scenario names the set-up to load (that of docs/editors.md), the file, the text that it must have at the end, the lines (from 1) of
-- the entry point and of the hunk to take, that one's title, a line of the candidate's diff, a command that prints a task as JSON, and the
-- seconds to wait for each step.
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
local function read(file) return table.concat(vim.fn.readfile(file, 'b'), '\n') end
local function state(number)
  local shown = vim.system(vim.list_extend(vim.deepcopy(scenario.show_task), { tostring(number) }), { text = true }):wait()
  return vim.json.decode(shown.stdout).task.state
end

local exit
local messages, progress = {}, {}
dofile(scenario.setup)
vim.lsp.config('pixel-lsp', {
  on_exit = function(code, signal) exit = { code = code, signal = signal } end,
  handlers = {
    ['window/showMessage'] = function(_, params) table.insert(messages, params.message) end,
  },
})
vim.api.nvim_create_autocmd('LspProgress', {
  callback = function(event)
    local value = event.data.params.value
    if (event.data.params.token .. ''):find('coach', 1, true) then table.insert(progress, value.message or value.kind) end
  end,
})
vim.cmd('filetype on')
vim.cmd.edit(vim.fn.fnameescape(scenario.file))
local buffer = vim.api.nvim_get_current_buf()
local before = read(scenario.file)
wait('opening the file starts the server', function() return #vim.lsp.get_clients({ name = 'pixel-lsp', bufnr = buffer }) == 1 end)
local client = vim.lsp.get_clients({ name = 'pixel-lsp', bufnr = buffer })[1]
wait('the server answered initialize', function() return client.initialized end)

local function request(method, params)
  local reply, problem = client:request_sync(method, params, timeout, buffer)
  if not reply or reply.err then fail(method .. ': ' .. (problem or vim.inspect(reply.err))) end
  return reply.result
end
local document = { uri = vim.uri_from_bufnr(buffer) }
local function lens(words)
  for _, one in ipairs(request('textDocument/codeLens', { textDocument = document }) or {}) do
    if one.command and one.command.title:find(words, 1, true) then return one end
  end
end
local function run(command) return request('workspace/executeCommand', { command = command.command, arguments = command.arguments }) end
local function action(line, words)
  local place = { line = line - 1, character = 0 }
  local found = request('textDocument/codeAction', {
    textDocument = document,
    range = { start = place, ['end'] = place },
    context = { diagnostics = {} },
  })
  for _, one in ipairs(found or {}) do
    if one.title:find(words, 1, true) then return one end
  end
  fail('no action `' .. words .. '` among: ' .. table.concat(vim.tbl_map(function(one) return one.title end, found or {}), ', '))
end
local function said(words)
  for _, message in ipairs(progress) do
    if message:find(words, 1, true) then return true end
  end
end

wait('a lens offers the task', function() return lens('▶ Coach: task 1') end)
run(lens('▶ Coach: task 1').command)
wait('progress shows the speed of the model', function() return said('tokens/s') end)
expect('the file is as it was', read(scenario.file) == before)
wait('the user is told at the end, and only then', function() return #messages == 1 end)
expect(messages[1], messages[1]:find("task 1 'Tidy the kernel' awaits your acceptance: proved; scored 8/10", 1, true) ~= nil)
expect('progress showed evidence and score', said('round 1 of 3: proved') and said('round 1 of 3: scored 8/10'))

run(action(scenario.entry, 'show the candidate of task 1').command)
wait('the candidate opens as a diff', function() return vim.api.nvim_buf_get_name(0):find('task-1-attempt-1.diff', 1, true) ~= nil end)
local shown = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
expect('it shows what would change', shown:find(scenario.added, 1, true) ~= nil)
vim.api.nvim_set_current_buf(buffer)

local accept = action(scenario.line, scenario.hunk)
if accept.edit then vim.lsp.util.apply_workspace_edit(accept.edit, client.offset_encoding) else run(accept.command) end
wait('the hunk is in the buffer', function()
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\n') .. '\n' == scenario.wanted
end)
expect('and not yet in the file', read(scenario.file) == before)
vim.cmd('silent write')
expect('saved, the file is exactly so', read(scenario.file) == scenario.wanted)
expect('the task waits for the other hunks', state(1) == 'awaiting_acceptance')
run(action(scenario.entry, 'reject task 1').command)
expect('left out, they complete it', state(1) == 'completed')
expect('and the file stays so', read(scenario.file) == scenario.wanted)

progress = {}
wait('a lens offers the second task', function() return lens('▶ Coach: task 2') end)
run(lens('▶ Coach: task 2').command)
wait('it writes', function() return said('tokens') end)
local token
for name in pairs(client.progress.pending) do
  if (name .. ''):find('coach', 1, true) then token = name end
end
client:notify('window/workDoneProgress/cancel', { token = token })
wait('cancelled, it goes back', function() return state(2) == 'pending' end)
wait('its progress ends', function() return next(client.progress.pending) == nil end)
expect('the file is as it was', read(scenario.file) == scenario.wanted)
expect('nobody is told what he did himself', #messages == 1)

client:stop()
wait('the server stopped', function() return exit ~= nil end)
expect('with exit code 0', exit.code == 0 and exit.signal == 0)
local version = vim.version()
say(('PASS nvim coach %d.%d.%d'):format(version.major, version.minor, version.patch))
vim.cmd('qall!')
