"""The models that can be asked, one service a file. The only place of the coach that speaks HTTP."""
